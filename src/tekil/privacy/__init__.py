"""Privacy: what people allowed and refused, and what they ask for by right."""
