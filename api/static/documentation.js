// Shows the OpenAPI description that the page names.

const place = document.getElementById("swagger-ui");
window.SwaggerUIBundle({
  url: place.dataset.description,
  domNode: place,
  deepLinking: true,
  tryItOutEnabled: true,
  presets: [window.SwaggerUIBundle.presets.apis],
  validatorUrl: null,
});
