"""SE blocks: squeeze, gate network, excitation, and the registries that hold them."""
