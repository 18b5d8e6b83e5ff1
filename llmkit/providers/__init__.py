"""What each provider's API looks like on the wire: pure translators, one file each."""
