"""What people agree to hear about, found by itself: any file here, any `Topic` in it."""
