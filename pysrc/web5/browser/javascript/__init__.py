"""The crossing into JavaScript: functions, promises, errors and WebCrypto."""
