// The validator of Swagger UI is a service elsewhere: null keeps the page to this host.
SwaggerUIBundle({ url: "/openapi.json", dom_id: "#api", validatorUrl: null, deepLinking: true });
