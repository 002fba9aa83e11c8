"""Forms, found by themselves: any file here, any `Form` in it. Each is a page at /f/{name}."""
