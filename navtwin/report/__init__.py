"""What a session comes to: judged against truth, measured, and written down for people."""

from navtwin.report.html import write_report
from navtwin.report.summary import Summary
from navtwin.report.terminal import print_summary

__all__ = ["Summary", "print_summary", "write_report"]
