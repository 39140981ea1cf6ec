# No package is configured. Never install by name: anyone could register the name.
echo "This pipeline can't install do-bootstrap. For the next steps, run: do-bootstrap ci {{provider}} --dry-run" >&2
exit 1
