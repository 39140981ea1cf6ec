# template: 1
# What this root module lacked. Whatever you declare elsewhere goes from here.
{{pieces}}
