# template: 1
{{declarations}}
