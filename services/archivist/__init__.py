"""The archivist: it keeps beside the log what makes it quick to ask and hard to touch."""
