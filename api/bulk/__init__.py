"""Files of cases or addresses, of any size: read in spans, decided by all cores or a cluster, written whole.

A span is read, decided and written as a part by itself; parts of finished spans outlive a stop. The
output is put together from the parts in order and appears by renaming, last.
"""
