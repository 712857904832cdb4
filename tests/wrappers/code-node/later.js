exports.NAME = "imported later";
