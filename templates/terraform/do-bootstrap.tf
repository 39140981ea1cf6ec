# template: 1
# Blocks that this root module lacked. If you declare one of them elsewhere,
# do-bootstrap removes it here.
{{pieces}}
