"""What tells whether a step did the right thing: numbers for the previews of the workbench, and for scripts."""
