"""What people say depends on what: read from the files that they keep, compared with what is observed. Pure."""
