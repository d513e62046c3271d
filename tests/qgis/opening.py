"""Opens a project in QGIS itself, for the system's Python: prints what QGIS made of it as JSON.

python3 tests/qgis/opening.py PROJECT [PICTURE]
"""

import json
import sys

from qgis.core import (
    QgsApplication,
    QgsMapRendererSequentialJob,
    QgsMapSettings,
    QgsProject,
    QgsRectangle,
)
from qgis.PyQt.QtCore import QSize


def main() -> None:
    application = QgsApplication([], False)
    application.initQgis()
    project = QgsProject.instance()
    told = {"is_read": project.read(sys.argv[1]), "crs": project.crs().authid()}
    told["snapped"] = [
        layer.name()
        for layer, setting in project.snappingConfig().individualLayerSettings().items()
        if setting.enabled() and project.snappingConfig().enabled()
    ]
    told["is_topological"] = project.topologicalEditing()
    told["not_overlapping"] = [layer.name() for layer in project.avoidIntersectionsLayers()]
    shown = [node.layer() for node in project.layerTreeRoot().findLayers() if node.isVisible()]
    told["layers"] = {
        layer.name(): {
            "is_valid": layer.isValid(),
            "rows": layer.featureCount(),
            "is_locked": layer.readOnly(),
            "has_labels": layer.labelsEnabled(),
            "precision": layer.geometryOptions().geometryPrecision(),
            "aliases": {field.name(): field.alias() for field in layer.fields()},
            "locked_columns": [
                field.name()
                for number, field in enumerate(layer.fields())
                if layer.editFormConfig().readOnly(number)
            ],
            "widgets": {
                field.name(): layer.editorWidgetSetup(number).type()
                for number, field in enumerate(layer.fields())
            },
        }
        for layer in shown
        if layer is not None
    }
    if len(sys.argv) > 2:
        draw([layer for layer in shown if layer is not None], project.crs(), sys.argv[2])
    sys.stdout.write(json.dumps(told))
    application.exitQgis()


def draw(layers, crs, path) -> None:
    extent = QgsRectangle()
    for layer in layers:
        extent.combineExtentWith(layer.extent())
    settings = QgsMapSettings()
    settings.setLayers(layers)
    settings.setDestinationCrs(crs)
    settings.setExtent(extent)
    settings.setOutputSize(QSize(1200, 900))
    job = QgsMapRendererSequentialJob(settings)
    job.start()
    job.waitForFinished()
    job.renderedImage().save(path)


main()
