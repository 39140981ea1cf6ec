# Install by hash, never by name: anyone could register the name.
package="{{from}}"
sha512="{{sha512}}"
place="$(mktemp -d)"
{{get}}
echo "$sha512  $place/package.tgz" | sha512sum --check --strict
tar -xzf "$place/package.tgz" -C "$place"
program="$place/package/dist/bin.cjs"
