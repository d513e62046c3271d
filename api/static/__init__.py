"""The map page and the libraries it is shown with; nothing here is fetched from another server."""
