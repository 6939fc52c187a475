"""The report kit: plots, tables, pages, records, and what machine this is."""
