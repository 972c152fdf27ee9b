"""What app developers call. It mirrors `@web5/api`, in snake_case."""
