// Knows how many tabs of this browser have the page open: each holds a lock, which ends with it.
const PREFIX = "web5-page.";

navigator.locks?.request(PREFIX + crypto.randomUUID(), () => new Promise(() => {}))?.catch(() => {});

globalThis.web5OtherTabs = async () => {
  try {
    const { held } = await navigator.locks.query();
    return Math.max(0, held.filter(({ name }) => name.startsWith(PREFIX)).length - 1);
  } catch {
    return 0; // this browser gives the page no locks
  }
};
