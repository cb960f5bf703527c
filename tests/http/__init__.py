"""The door for HTTP, part by part."""
