"""Many exchanges over days: the durable delivery of a filing, decided from recorded events alone."""
