"""Forms for visitors: pages, forms inside other sites and landing pages, and what becomes of a filled-in one."""
