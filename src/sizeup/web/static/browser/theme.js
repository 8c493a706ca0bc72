// Runs before the first paint, so that a page kept dark never flashes white. "auto" is the system's own choice.
try {
  const kept = localStorage.getItem("sizeup.theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch {
  // Storage may be forbidden; then the system decides.
}
