"""Tables of people as others write them: read, understood, cleaned, compared, and written. Pure.

detect    which encoding and which delimiter       rows      records with the lines they stand on
headers   what a column's title means              mapping   what a file says about its own columns
dates     days in every common notation            values    one cell
people    one row → a person, or why not           similar   who may be who
write     cells no spreadsheet takes for a formula
"""
