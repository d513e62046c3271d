"""A synthetic district, written as contractors deliver it, with faults planted and answers known."""

from pipelines.sample.writing import SampleReport, write_sample

__all__ = ["SampleReport", "write_sample"]
