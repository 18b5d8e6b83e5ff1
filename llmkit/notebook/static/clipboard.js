// Copies text to the clipboard, even on a page that is not served over https.

/** Copies *text* and returns true if it worked; *place* may briefly hold a helper element. */
export async function copyText(text, place) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOld(text, place);
  }
}

function copyOld(text, place) {
  const before = document.activeElement;
  const box = document.createElement("textarea");
  box.value = text;
  box.style.position = "fixed";
  box.style.opacity = "0";
  place.appendChild(box);
  box.select();
  const done = document.execCommand("copy");
  box.remove();
  before?.focus();
  return done;
}
