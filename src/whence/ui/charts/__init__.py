"""Where everything in a picture goes. Pure geometry; templates turn it into SVG and the stylesheet gives it colour."""
