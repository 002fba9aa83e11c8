"""E-mail: from a template to the relay's answer.

render     a template and a contact become subject, HTML and text
links      signed addresses for pixel, click and unsubscribe, and putting them into the HTML
compose    all of it becomes the bytes of one message
smtp       bytes go to the relay over a few connections that are kept
"""
