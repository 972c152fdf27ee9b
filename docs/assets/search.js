// The site's policy lets no form go anywhere; so a search is asked for by its address.
document.addEventListener("submit", (event) => {
  event.preventDefault();
  const asked = new URLSearchParams(new FormData(event.target));
  window.location.assign(`${event.target.action.split("?")[0]}?${asked}`);
});
