"""Records by their addresses, as a browser reads them: DRLs, media types, conditions and parts.

Source: `src/http-api.ts` of `@web5/dwn-server` 0.6.1 and `src/web-features.ts` of `@web5/browser`.
"""
