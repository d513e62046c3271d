"""The command ``wanmi``: mounts each package's commands, nothing else."""
