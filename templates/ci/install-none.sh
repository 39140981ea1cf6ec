# Where it comes from is not known. It is never fetched by its name, which may be anybody's.
echo "This pipeline cannot install do-bootstrap. What to do says: do-bootstrap ci {{provider}} --dry-run" >&2
exit 1
