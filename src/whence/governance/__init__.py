"""Labels that travel along lineage, and policies on where they may arrive. Pure."""
