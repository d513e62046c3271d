"""The report on a component delivery: verdict, one HTML page, workbook and layer of faults."""
