"""IndexedDB behind the ports: pages of the database, blobs, the seal of keys, and small things a site keeps."""
