// Runs in the CDK's Node.js process: many requests about constructs in one message. See __init__.py.
"use strict";

const cdk = require("aws-cdk-lib"); // beside this package: jsii installs it there, and has loaded it

const { circles } = require("./circles");
const { targetsOf } = require("./references");

const member = (object, path) => path.split(".").reduce((value, name) => value?.[name], object);

// The attributes that a resource discloses.
function inspect(resource) {
    const attributes = {};
    resource.inspect({ addAttribute: (name, value) => (attributes[name] = value) });
    return attributes;
}

class Batch {
    static members(objects, paths) {
        return objects.map((object) => paths.map((path) => member(object, path) ?? null));
    }

    static call(objects, method) {
        return objects.map((object) => object[method]() ?? null);
    }

    // The attributes that resources disclose to the tree's metadata (CfnResource.inspect).
    static inspect(resources) {
        return resources.map(inspect);
    }

    // Some properties in one attribute of these, resolved, and as `overrides` the values of add_property_override,
    // which the CDK keeps in a separate member, and as `condition` its condition. Null for a resource without the attribute.
    static resolve(resources, attribute, names) {
        return resources.map((resource) => {
            const properties = inspect(resource)[attribute];
            const wanted = Object.fromEntries(names.map((name) => [name, properties?.[name]]));
            const overrides = resource.rawOverrides?.Properties;
            const condition = resource.cfnOptions.condition;
            return properties ? resource.stack.resolve({ ...wanted, overrides, condition }) : null;
        });
    }

    // For some properties, or all: the texts of the constructs that they refer to, and their resolved values. Null for
    // a resource that discloses none. Without the attribute, the protected properties of CfnResource, which are
    // named as in CloudFormation.
    static references(resources, attribute, names) {
        return resources.map((resource) => {
            const all = (attribute && resource.inspect && inspect(resource)[attribute]) || resource.cfnProperties;
            if (!all) {
                return null;
            }
            const value = (name) => all[name] ?? all[name[0].toUpperCase() + name.slice(1)];
            const wanted = names.length ? Object.fromEntries(names.map((name) => [name, value(name)])) : all;
            return [[...targetsOf(wanted, resource)].map((target) => target.toString()), resource.stack.resolve(wanted)];
        });
    }

    // For texts in resources: the path of the circular dependency that each would cause, or null. See circles.js.
    static circles(asked) {
        return circles(asked);
    }

    // The constructs in a scope that are of one of these classes, or resources of one of these types, each with its text.
    // `Custom::` is every type with this prefix, except those with a `!` in front.
    static find(scope, classes, types) {
        const kinds = classes.map((path) => member(cdk, path));
        const starts = types.filter((type) => type.endsWith("::"));
        const begins = (type) => starts.some((start) => type?.startsWith(start)) && !types.includes(`!${type}`);
        const wanted = (type) => types.includes(type) || begins(type);
        return scope.node
            .findAll()
            .filter((found) => wanted(found.cfnResourceType) || kinds.some((kind) => found instanceof kind))
            .map((found) => [found, found.toString()]);
    }

    // The constructs in a scope that have one of some members, each with its text, the first that it has, and the
    // requested others. An import may throw for a member that it lacks.
    static holders(scope, anyOf, others) {
        const given = (found, path) => {
            try {
                return member(found, path) ?? null;
            } catch {
                return null;
            }
        };
        return scope.node.findAll().flatMap((found) => {
            const first = anyOf.map((path) => given(found, path)).find((value) => value !== null);
            return first === undefined ? [] : [[found.toString(), first, ...others.map((path) => given(found, path))]];
        });
    }

    static create(module, type, scope, id, props) {
        return new cdk[module][type](scope, id, props);
    }

    // Its deletion is protected where it is retained, if the installed CDK knows that property.
    static createLogGroup(scope, id, props) {
        const group = new cdk.aws_logs.LogGroup(scope, id, props);
        const resource = group.node.defaultChild;
        if ("deletionProtectionEnabled" in resource) {
            const isKept = () => resource.cfnOptions.deletionPolicy !== "Delete" || undefined;
            resource.deletionProtectionEnabled = cdk.Lazy.any({ produce: isKept });
        }
        return [group, group.logGroupName];
    }

    static createAlarms(scope, alarms) {
        const { Alarm, MathExpression, Metric } = cdk.aws_cloudwatch;
        return alarms.map(([id, metric, props]) => {
            const Kind = metric.expression ? MathExpression : Metric;
            return new Alarm(scope, id, { ...props, metric: new Kind(metric) });
        });
    }

    // Sets a logging configuration, and an aspect of the resource, on a function.
    static attach(resource, given) {
        if (given.logging) {
            resource.loggingConfig = given.logging;
        }
        if (given.aspect) {
            cdk.Aspects.of(resource).add(given.aspect, { priority: given.priority });
        }
    }

    static note(constructs, type, texts) {
        constructs.forEach((construct, number) => construct.node.addMetadata(type, texts[number]));
    }

    // Of a Function, or of a CfnFunction.
    static addLayer(lambda, layer) {
        if (lambda.addLayers) {
            lambda.addLayers(layer);
        } else {
            lambda.layers = [...(lambda.layers ?? []), layer.layerVersionArn];
        }
    }

    static addEnvironment(lambda, variables, layers) {
        layers.forEach((layer) => Batch.addLayer(lambda, layer));
        for (const [name, value] of Object.entries(variables)) {
            lambda.addEnvironment(name, value);
        }
    }
}

exports.Batch = Batch;
