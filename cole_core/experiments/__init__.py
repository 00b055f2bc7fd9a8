"""What is compared with what, trials, tables with tests of significance."""
