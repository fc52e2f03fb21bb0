"""Training of MEGABYTE packs. Needed to make a pack, never to run one."""
