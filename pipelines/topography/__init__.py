"""Base topography 基础地理信息: sheets, features, checks, patches."""
