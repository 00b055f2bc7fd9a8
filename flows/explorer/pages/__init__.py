"""What the pages lay out; each module registers one."""
