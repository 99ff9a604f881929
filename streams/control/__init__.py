"""People and programs acting: events published, customers enrolled and taken out by hand."""
