// Shows the progress of jobs as it happens. Without this script the page shows it as it was when it was opened.
"use strict";

// A browser keeps few connections to one server open at a time.
const WATCHED = 3;

function words(progress) {
  if (progress === null) {
    return "";
  }
  const share = progress.total > 0 ? ` (${Math.floor((100 * progress.done) / progress.total)} %)` : "";
  return progress.step + share;
}

function watch(row) {
  const events = new EventSource(row.dataset.events);
  events.addEventListener("job", (event) => {
    const job = JSON.parse(event.data);
    row.querySelector("[data-progress]").textContent = words(job.progress);
    if (job.state !== row.dataset.state) {
      events.close();
      // Buttons and times change with the state, and the server knows how.
      window.location.reload();
    }
  });
}

[...document.querySelectorAll("tr[data-events]")].slice(0, WATCHED).forEach(watch);
