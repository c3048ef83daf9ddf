"""Pages in a real browser, for the tests that open what mltrain writes and serves; the fixture is `browser`."""

import shutil
from contextlib import contextmanager

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# WCAG 2.2, 1.4.3: the smallest ratio of the luminances of a text and what is behind it, for every text that is shown.
CONTRAST = """
() => {
  const channel = part => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  const parts = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const color = parts(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest("title, .skip") || element.matches(".onshade")) continue;
    const style = getComputedStyle(element);
    const text = luminance(parts(element.closest("svg") ? style.fill : style.color));
    const ground = luminance(behind(element));
    const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    found[element.tagName + "." + (element.getAttribute("class") || "")] = ratio;
  }
  return found;
}
"""


@contextmanager
def opening(browser):
    """Give a function that opens a page; the page has what it complained of, and what it asked for."""
    contexts = []

    def open_page(address, width=1280, color_scheme="light"):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=color_scheme))
        page = contexts[-1].new_page()
        page.complaints, page.asked = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(address)
        return page

    yield open_page
    for context in contexts:
        context.close()
