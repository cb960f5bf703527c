"""The standard set of instant messaging: one file or folder for each XEP or chapter."""
