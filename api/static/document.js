// Makes the addresses in a shown JSON document clickable, as pages.

const pre = document.querySelector("[data-document] pre");
const parts = pre.textContent.split(/("https?:\/\/[^"\s{}]+")/);
pre.replaceChildren(
  ...parts.map((part) => {
    if (!/^"https?:/.test(part)) return part;
    const link = document.createElement("a");
    const address = new URL(JSON.parse(part));
    if (address.origin === location.origin && !/\/api(\.html)?$/.test(address.pathname)) {
      address.searchParams.set("f", "html");
    }
    link.href = address;
    link.textContent = part;
    return link;
  }),
);
