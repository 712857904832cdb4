LAZY = "lazy".freeze
