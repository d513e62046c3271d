"""The responsibility plan 职责分解方案: the workbook read, judged, loaded and compared."""
