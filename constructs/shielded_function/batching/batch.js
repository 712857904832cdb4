// Runs in the CDK's Node.js process: many questions about constructs in one message. See __init__.py.
"use strict";

const member = (object, path) => path.split(".").reduce((value, name) => value?.[name], object);

class Batch {
    static members(objects, paths) {
        return objects.map((object) => paths.map((path) => member(object, path) ?? null));
    }

    static call(objects, method) {
        return objects.map((object) => object[method]() ?? null);
    }

    // What resources disclose of themselves to the tree's metadata (CfnResource.inspect).
    static inspect(resources) {
        return resources.map((resource) => {
            const attributes = {};
            resource.inspect({ addAttribute: (name, value) => (attributes[name] = value) });
            return attributes;
        });
    }

    static addEnvironment(lambda, variables) {
        for (const [name, value] of Object.entries(variables)) {
            lambda.addEnvironment(name, value);
        }
    }
}

exports.Batch = Batch;
