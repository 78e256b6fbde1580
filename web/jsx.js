// What elements in the sources become: calls of Preact's own function, which are shorter than those of its
// JSX runtime. The bundler imports it into each file.
export { Fragment, h } from "preact";
