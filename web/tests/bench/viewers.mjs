// The two viewers that are measured: how a study is opened in each, and when its first slice is on the screen.

/** Hemora's own page. It opens a study at the key slice. */
export const HEMORA = {
  image: "canvas[data-testid=slice]",
  address: (origin, uid) => `${origin}/study/${uid}`,
  async inList(page, uid) {
    const link = page.locator(`tr[data-uid="${uid}"] a.open`);
    await link.waitFor();
    return link;
  },
  async firstSlice(page) {
    const mark = () => performance.getEntriesByName("hemora-key-slice")[0]?.startTime;
    return (await page.waitForFunction(mark)).jsonValue();
  },
  /** Counts the slices that are drawn: the canvas names the one that stands on it. */
  watch: () => {
    globalThis.slicesDrawn = 0;
    new MutationObserver((changes) => {
      globalThis.slicesDrawn += changes.filter(({ target }) => target.tagName === "CANVAS").length;
    }).observe(document, { subtree: true, attributeFilter: ["data-slice"] });
  },
};

/** OHIF. It opens a study at the first slice. */
export const OHIF = {
  image: ".viewport-element, .cornerstone-viewport-element",
  address: (origin, uid) => `${origin}/viewer?StudyInstanceUIDs=${uid}`,
  /** Selects the study; what is clicked then is the button that opens it. */
  async inList(page, uid) {
    const patient = await page.evaluate(async (wanted) => {
      const found = await (await fetch("/dicom-web/studies")).json();
      const study = found.find((one) => one["0020000D"].Value[0] === wanted);
      return study["00100010"].Value[0].Alphabetic.replace("^", ", ");
    }, uid);
    await page.locator("tr", { hasText: patient }).first().click();
    const button = page.getByText("Basic", { exact: false }).first();
    await button.waitFor();
    return button;
  },
  /** The first rendering after the stack has an image: those before are of an empty viewport. */
  async firstSlice(page) {
    return (await page.waitForFunction(() => globalThis.firstSliceAt)).jsonValue();
  },
  watch: () => {
    globalThis.slicesDrawn = 0;
    let images = 0;
    // Thumbnails are rendered in viewports of their own.
    const main = (event) => !String(event.detail?.viewportId).startsWith("renderGPUViewport");
    addEventListener("CORNERSTONE_STACK_NEW_IMAGE", (event) => (images += main(event) ? 1 : 0), { capture: true });
    let drawn = 0;
    addEventListener("CORNERSTONE_IMAGE_RENDERED", (event) => {
      if (!main(event) || images === 0) return;
      globalThis.firstSliceAt ??= performance.now();
      if (images > drawn) globalThis.slicesDrawn += 1;
      drawn = images;
    }, { capture: true });
    try {
      localStorage.setItem("shownTours", JSON.stringify(["basicViewerTour"]));
    } catch {
      // A page without storage shows its tour; it does not hide the image.
    }
  },
};
