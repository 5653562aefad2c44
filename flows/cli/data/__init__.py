"""Commands on what is kept: show, find, export, status, report, doctor."""
