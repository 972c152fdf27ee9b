// Has a page that is not index.html speak the language of that. The page's own module asks for its texts by these two.
import { plural, speak, t } from "./language.mjs";

speak(document.currentScript.src);
globalThis.web5Text = t;
globalThis.web5Plural = plural;
