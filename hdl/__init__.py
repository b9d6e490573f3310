"""The circuits: Amaranth components with plain parameters and streams on both ends; they know no model formats."""
